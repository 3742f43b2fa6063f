// @ts-check
/**
 * The words of the benchmark.
 *
 * @typedef {object} ClientCredentials a client as it authenticates itself: client_secret_basic
 * @property {string} client_id
 * @property {string} client_secret
 *
 * @typedef {object} Person
 * @property {string} email
 * @property {string} password
 * @property {{ readonly name: string, readonly given_name: string, readonly family_name: string }} claims
 *
 * @typedef {object} Server one of the servers under test, in a process of its own
 * @property {string} name
 * @property {string} version
 * @property {string} issuer
 * @property {string} resource the default resource of the client `app`
 * @property {string} scope the scope of that resource
 * @property {string} redirect_uri
 * @property {number} status_list_ttl seconds; 0 for a server without status lists
 * @property {string} database path of the SQLite file
 * @property {readonly Person[]} people
 * @property {Readonly<Record<ClientName, ClientCredentials>>} clients
 * @property {() => Endpoints} endpoints as its discovery document names them
 * @property {() => number} pid
 * @property {() => Promise<number>} start resolves with the milliseconds from spawning to the first 200
 * @property {() => Promise<void>} stop SIGTERM, and waits until it ended
 *
 * @typedef {'app' | 'profile'} ClientName `app` is first-party and has a default resource; `profile` asks for consent and has none
 *
 * @typedef {object} Endpoints paths
 * @property {string} authorization
 * @property {string} token
 * @property {string} userinfo
 * @property {string} jwks
 * @property {string} discovery
 *
 * @typedef {() => Promise<void>} Work one unit of work; throws if the answer is not what it should be
 *
 * @typedef {object} Workers
 * @property {readonly Work[]} work one for each worker
 * @property {() => void} close
 *
 * @typedef {object} Slice a short run of one server
 * @property {number} units done without error
 * @property {number} errors
 * @property {string | null} error the first of them
 * @property {number} rate units a second
 * @property {number} p50 milliseconds
 * @property {number} p99 milliseconds
 * @property {number} cpu_ms CPU of the server's process tree, per unit
 *
 * @typedef {object} Rate the medians of some slices
 * @property {number} rate
 * @property {number} p50
 * @property {number} p99
 * @property {number} cpu_ms
 * @property {number} units
 * @property {number} errors
 * @property {string | null} error
 * @property {boolean} valid false if more than 0.1 % of the units failed
 *
 * @typedef {object} RateRow a line of the table of rates
 * @property {string} figure
 * @property {Rate} ours
 * @property {Rate | null} peer
 * @property {{ readonly rate: number, readonly cpu: number } | null} ratio ours / peer: medians of the pairs' ratios
 *
 * @typedef {object} ValueRow a line of the table of single values
 * @property {string} figure
 * @property {string} ours
 * @property {string} peer '' where the peer has none
 *
 * @typedef {object} Check a target of the project, beside what was measured
 * @property {string} what
 * @property {string} target
 * @property {string} measured
 * @property {boolean | null} met null if it could not be judged
 *
 * @typedef {object} Findings what a scenario found out
 * @property {readonly RateRow[]} [rates]
 * @property {readonly ValueRow[]} [values]
 * @property {readonly Check[]} [checks]
 * @property {readonly string[]} [notes]
 *
 * @typedef {object} Bench what a scenario works with
 * @property {Server} ours
 * @property {Server | null} peer
 * @property {import('./raw.js').Raw} raw
 * @property {Plan} plan
 * @property {(text: string) => void} progress
 * @property {() => Promise<Fresh>} fresh servers with empty databases of their own, not started
 *
 * @typedef {object} Fresh
 * @property {Server} ours
 * @property {Server | null} peer
 *
 * @typedef {object} Plan how long everything takes
 * @property {number} slices per server and figure
 * @property {number} seconds per slice
 * @property {number} warm_up seconds per server and figure
 * @property {number} storm_rounds
 * @property {number} storm_rest seconds alone, per round
 * @property {number} storm_seconds seconds in the storm, per round
 * @property {number} starts
 * @property {number} idle_seconds before memory is read
 * @property {number} flows for the growth of the database
 * @property {number} refreshes of a hundred families, for the same; 0 leaves it out
 *
 * @typedef {object} Scenario
 * @property {string} name as `--only` takes it
 * @property {'running' | 'stopped'} servers in which state it wants the servers
 * @property {(bench: Bench) => Promise<Findings>} run
 */
export {};
