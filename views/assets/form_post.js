// Posts the answer of the authorization endpoint to the application (Form Post Response Mode §2).
const form = document.getElementById('form-post');
form.querySelector('.late')?.remove();
// A field named "submit" would hide form.submit.
HTMLFormElement.prototype.submit.call(form);
