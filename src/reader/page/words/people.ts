// Names of people as they may be shown: none that could be taken for something else. As src/cli/display/names.rs.

import { isName, mixesAlphabets } from '../../lib/making/naming.ts'
import { foreign, type Said } from './said.ts'
import { texts } from './texts.ts'

/** Somebody as an envelope or a card says. */
export interface Named {
  readonly name: string
  readonly address?: string
}

/** A name, or in its place that it is not shown; and a word of warning where letters look like others. */
export function nameOf({ name, address }: Named): Said {
  if (!isName(name, address ?? '')) return [texts.nameNotShown]
  return mixesAlphabets(name) ? [foreign(name), ` ${texts.mixedAlphabets}`] : [foreign(name)]
}

/** Name and address. */
export function person({ name, address }: Named): Said {
  if (address === undefined) return nameOf({ name })
  const warned = mixesAlphabets(address) ? [` ${texts.mixedAlphabets}`] : []
  return [...nameOf({ name, address }), ' ', foreign(`<${address}>`), ...warned]
}
