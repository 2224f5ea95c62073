export interface Product {
  product_id: string;
  name: string;
  category: string;
  price: number;
}

export const PRODUCTS: readonly Product[] = [
  { product_id: "SKU-001", name: "Block-printed cotton kurta", category: "apparel", price: 1290 },
  { product_id: "SKU-002", name: "Handloom silk scarf", category: "apparel", price: 2450 },
  { product_id: "SKU-003", name: "Leather sandals", category: "shoes", price: 1890 },
  { product_id: "SKU-004", name: "Copper water bottle", category: "kitchen", price: 799 },
  { product_id: "SKU-005", name: "Darjeeling first flush, 250 g", category: "tea", price: 950 },
  { product_id: "SKU-006", name: "Brass desk lamp", category: "home", price: 3400 },
  { product_id: "SKU-007", name: "Terracotta planter", category: "home", price: 560 },
  { product_id: "SKU-008", name: "Linen bedspread", category: "home", price: 4200 },
];

/** Where visitors come from: the landing page's query, as the shop would see it. */
export const LANDINGS: readonly { url: string; referrer: string | null }[] = [
  { url: "https://shop.example/", referrer: null },
  {
    url: "https://shop.example/sale?utm_source=Instagram&utm_medium=Paid_Social&utm_campaign=Diwali",
    referrer: "https://instagram.com/",
  },
  {
    url: "https://shop.example/tea?utm_source=google&utm_medium=cpc&utm_campaign=tea&utm_term=darjeeling",
    referrer: "https://www.google.com/",
  },
  { url: "https://shop.example/?utm_source=newsletter&utm_medium=email&utm_campaign=november", referrer: null },
  { url: "https://shop.example/home", referrer: "https://www.bing.com/" },
];

export const BROWSERS: readonly string[] = [
  "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15",
  "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
];

export const BOTS: readonly string[] = [
  "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
];

/** Public addresses of networks in several countries. */
export const ADDRESSES: readonly string[] = [
  "49.36.0.10",
  "106.51.8.20",
  "8.8.8.8",
  "81.2.69.160",
  "217.0.0.30",
  "202.12.27.33",
];
export const LOCALES: readonly string[] = ["hi-IN", "en-IN", "en-GB", "de-DE"];
export const FIRST_NAMES: readonly string[] = ["Asha", "Ravi", "Meera", "Kabir", "Ines", "Jonas", "Leila", "Tom"];
