// The library that opens envelopes: no DOM, so it works in pages, workers and Node. FORMAT.md is its specification.

export { EngineError, EnvelopeError, InputError, type Detail, type Kind } from './error.ts'
export { fromBytes, type Input, type Output } from './input/input.ts'
export { look, type Claim, type ClaimedGate, type ClaimedLock, type ClaimedRecipient } from './envelope/look.ts'
export type { Admission } from './envelope/admission.ts'
export { open, type Keys, type Opened, type Options } from './envelope/open.ts'
export { readIdentity, type Identity } from './identity/identity.ts'
export { readCard, readCards, type Card } from './identity/card.ts'
export { readApproval, type Approval } from './identity/approval.ts'
export { findArmor, type Armor } from './input/html.ts'
export { kindOf, type FileKind } from './input/kind.ts'
