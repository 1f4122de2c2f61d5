// Generated from lib/redis/scripts by "npm run generate"; do not edit.
/** The Lua scripts, comments left out, with the hashes under which a server knows them. */
export const scriptSources = {
  "extend-leases.lua": {
    sha: '89a88c5b6c80248ca14472bf3a10ea93e2136df5',
    source: "local lease = KEYS[1]\nlocal leaseUntil = ARGV[1]\nlocal lost = {}\nfor i = 2, #ARGV, 2 do\nlocal taskId, heldUntil = ARGV[i], tonumber(ARGV[i + 1])\nlocal expiry = redis.call('ZSCORE', lease, taskId)\nif expiry and tonumber(expiry) <= heldUntil then\nredis.call('ZADD', lease, 'XX', leaseUntil, taskId)\nelse\nlost[#lost + 1] = taskId\nend\nend\nreturn lost",
  },
} as const;

/** Name of a script's file. */
export type ScriptFile = keyof typeof scriptSources;
