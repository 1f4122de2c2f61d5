// Generated from lib/redis/scripts by "npm run generate"; do not edit.
/** The Lua scripts, comments left out, with the hashes under which a server knows them. */
export const scriptSources = {
  "extend-leases.lua": {
    sha: '7b9dea133d6ad2ad19a06b81f6d34963a2510f2c',
    source: "local lease = KEYS[1]\nlocal leaseUntil = ARGV[1]\nlocal lost = {}\nfor i = 2, #ARGV do\nlocal taskId = ARGV[i]\nif redis.call('ZSCORE', lease, taskId) then\nredis.call('ZADD', lease, 'XX', leaseUntil, taskId)\nelse\nlost[#lost + 1] = taskId\nend\nend\nreturn lost",
  },
} as const;

/** Name of a script's file. */
export type ScriptFile = keyof typeof scriptSources;
