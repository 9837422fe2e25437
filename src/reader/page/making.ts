// Making an identity in the worker: the messages, and what answers them.
export interface MakeRequest { readonly ask: 'make' }
export interface Made { readonly say: 'made' }
export function isMakeRequest(request: { ask: string }): request is MakeRequest { return request.ask === 'make' }
export async function make(_request: MakeRequest): Promise<Made> { return { say: 'made' } }
