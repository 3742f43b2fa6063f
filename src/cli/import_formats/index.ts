export { auth0 } from './auth0.js';
export { django } from './django.js';
export { firebase } from './firebase.js';
export { keycloak } from './keycloak.js';
export { own } from './own.js';
