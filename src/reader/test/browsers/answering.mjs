// Answering an invitation.
export async function answersInvitation() { throw new Error('not there yet') }
export async function fillAnswer() {}
