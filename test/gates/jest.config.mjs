// The gates alone, without the Redis servers that the other tests need.
import config from '../../jest.config.mjs';

const { globalSetup: _setup, globalTeardown: _teardown, ...rest } = config;

export default { ...rest, rootDir: '../..', roots: ['<rootDir>/test/gates'] };
