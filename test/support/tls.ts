/** A certificate for files.example that signs itself, good from 2020 to 2119. It is trusted where a test says so. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBajCCARCgAwIBAgIBATAKBggqhkjOPQQDAjAYMRYwFAYDVQQDDA1maWxlcy5l
eGFtcGxlMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAYMRYwFAYD
VQQDDA1maWxlcy5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Vhj
j9Ee0d2hkLAU42gZlvvNjtYNAxFw/aDQNT1IQ91DO//h+AED9w3njhkBcR07DyYl
/qIaok0GzV1brzHLhaNJMEcwDAYDVR0TBAUwAwEB/zAYBgNVHREEETAPgg1maWxl
cy5leGFtcGxlMB0GA1UdDgQWBBS2ZukJ8rCTnhdnw+qfqUMJZ/JZNTAKBggqhkjO
PQQDAgNIADBFAiEAwjOMln2fxtxsbKmtSPxUZ2m70iwsA9w3m0WtzudR+gQCICrX
r7783IOPGHpW+KWAYS9Ajxopxq4oMSvLhIhoevTM
-----END CERTIFICATE-----`;

/** Its key: known to everybody, and trusted by nobody but a test. */
export const private_key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgx64QULyzdvwvlMVS
bBkLPfWlzXJ1ISF7f4sKlKgzbRmhRANCAATVWGOP0R7R3aGQsBTjaBmW+82O1g0D
EXD9oNA1PUhD3UM7/+H4AQP3DeeOGQFxHTsPJiX+ohqiTQbNXVuvMcuF
-----END PRIVATE KEY-----`;
