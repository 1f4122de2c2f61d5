import { Injectable } from '@nestjs/common';

/** Simulates a remote service that is briefly down: it accepts each address only at the third call. */
@Injectable()
export class ContactList {
  readonly #calls = new Map<string, number>();

  /** Returns the number of calls it took. */
  async add(email: string): Promise<number> {
    const calls = (this.#calls.get(email) ?? 0) + 1;
    this.#calls.set(email, calls);
    if (calls < 3) throw new Error(`503 Service Unavailable (call ${calls})`);
    this.#calls.delete(email);
    return calls;
  }
}
