const cart = { items: [], currency: "EUR" };

function addItem(name, price, quantity) {
  const found = cart.items.find((item) => item.name === name);
  if (found) {
    found.quantity += quantity;
  } else {
    cart.items.push({ name, price, quantity });
  }
}

function removeItem(name) {
  cart.items = cart.items.filter((item) => item.name !== name);
}

function totalPrice() {
  let total = 0;
  for (const item of cart.items) {
    total += item.price * item.quantity;
  }
  return total;
}

module.exports = { addItem, removeItem, totalPrice };
