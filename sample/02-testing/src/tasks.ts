import { defineTask } from 'nestjs-asynq';

/** The welcome mail for a new user. */
export const SendWelcome = defineTask<{ email: string }>('email:welcome', { queue: 'critical', maxRetry: 5 });

/** A mail with tips, a day later. */
export const SendTips = defineTask<{ email: string }>('email:tips');

/** Charges an order; one order is charged by one task at a time. */
export const Charge = defineTask<{ order: string; cents: number }>('payment:charge', { maxRetry: 3, unique: '1h' });
