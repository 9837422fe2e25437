// Which name a saved file gets, and which endings need a second click. The first rules are `clean` of src/cli/files/target.rs.

import { byteLength } from '../../lib/bytes.ts'
import { hasHazard } from './escape.ts'

/** `NAME_MAX` of Linux file systems, in bytes. */
const NAME_BYTES_MAX = 255

/** Endings that some system runs, or shows with script or macros in it, at a double click. */
const RISKY = new Set(
  `accdb accde action apk app appimage appinstaller application applescript appref-ms appx appxbundle asp bash bat cab chm class cmd com command cpl crx csh deb
  desktop diagcab diagcfg dll dmg doc docm dotm exe fish gadget hlp hta htm html img inf ins iqy iso isp jar jnlp js jse ksh library-ms lnk mdb mht
  mhtml mobileconfig msc msh msi mpkg msix msixbundle msp mst msu ocx one pif pkg pl potm ppam ppsm ppt pptm prg ps1 ps1xml psc1 psd1 psm1 py pyw pyz rb rdp reg
  rpm run scf scpt scptd scr sct search-ms searchconnector-ms settingcontent-ms sh shb shs shtml slk sldm svg svgz swf sys terminal theme themepack url vb vbe vbs vhd vhdx vxd
  webarchive webloc workflow ws wsb wsc wsf wsh xbap xhtml xht xlam xll xls xlsb xlsm xltm xml xnk xpi xsl zsh`.split(/\s+/),
)

/** A name from inside an envelope as far as it may become a file name, else nothing. */
export function clean(stored: string): string | undefined {
  const last = stored.split(/[/\\]/).pop() ?? ''
  const name = last.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '')
  if (name === '' || name.startsWith('.') || hasHazard(name) || isDevice(name)) return undefined
  return byteLength(name) <= NAME_BYTES_MAX ? name : undefined
}

/** Names that some systems take for devices, whatever their extension. */
function isDevice(name: string): boolean {
  const stem = (name.split('.')[0] ?? '').trimEnd()
  return /^(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³])$/i.test(stem)
}

/** What Windows cannot store in a name: its own characters, and a dot or a blank at the end. */
function forWindows(name: string): string {
  return name.replace(/[<>:"|?*]/g, '_').replace(/[.\p{White_Space}]+$/u, '')
}

/** The name under which content is saved: the one stored inside, or that of the envelope without its own endings. */
export function saveName(stored: string | undefined, outer: string): string {
  const bare = outer.replace(/\.html?$/i, '').replace(/\.encl( ?\(\d+\))?$/i, '')
  for (const candidate of [stored, bare]) {
    const cleaned = forWindows(clean(candidate ?? '') ?? '')
    // What was put in place of a character may have made another forbidden name.
    const name = clean(cleaned)
    if (name !== undefined) return name
  }
  return 'content'
}

/** The ending without its dot in small letters, or nothing. */
export function ending(name: string): string {
  return /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
}

/** Whether a file of that name may run programs when it is opened. */
export function isRisky(name: string): boolean {
  return RISKY.has(ending(name))
}
