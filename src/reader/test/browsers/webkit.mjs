// WebKitGTK.
export async function opensInWebKit() { throw new Error('not there yet') }
