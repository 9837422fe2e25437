// Whether the engine has WebAssembly, and what it cannot do without. Apart from Argon2 itself, which the page does not carry.

/** Above this cost noble takes many minutes, and an array of the size that not every engine gives. */
export const PLAIN_COST_MAX = 18

/** Content security policies and some modes of browsers leave the object there and refuse to compile. */
export function hasWasm(): boolean {
  try {
    // The shortest module: its magic number and version.
    return new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])) instanceof WebAssembly.Module
  } catch {
    return false
  }
}
