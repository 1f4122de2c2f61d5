import { Injectable, Logger } from '@nestjs/common';
import { Task, TaskHandler } from 'nestjs-asynq';
import { addContact } from '../tasks.js';
import { ContactList } from './contact-list.service.js';

/** Keeps the contact list up to date. When the handler throws, the task is retried later. */
@Injectable()
export class ContactTasks {
  readonly #log = new Logger('Contacts');

  constructor(private readonly contacts: ContactList) {}

  @TaskHandler(addContact)
  async add(task: Task<{ email: string }>): Promise<{ calls: number }> {
    const calls = await this.contacts.add(task.payload.email);
    this.#log.log(`${task.payload.email} added after ${task.retried} retries`);
    return { calls };
  }
}
