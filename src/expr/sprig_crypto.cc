// sprig's functions on secrets. What makes keys, certificates and password hashes fails here:
// expressions have no randomness that is fit for secrets, and no network.
#include <algorithm>

#include <openssl/evp.h>

#include "expr/base64.h"
#include "expr/builtin_table.h"
#include "expr/sprig_table.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

constexpr std::size_t kBlock = 16;
constexpr std::size_t kKeyLength = 32;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
};

// The password's first 32 bytes, filled up with zeros.
std::string key_of(const std::string& password) {
  std::string out = password;
  out.resize(kKeyLength, '\0');
  return out;
}

const unsigned char* raw(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// AES-256-CBC without padding of its own; the length must be a multiple of the block.
diag::Result<std::string> aes(const std::string& key, const std::string& start,
                              const std::string& input, bool encrypt) {
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> cipher(EVP_CIPHER_CTX_new());
  std::string out(input.size() + kBlock, '\0');
  int length = 0;
  const bool done = EVP_CipherInit_ex(cipher.get(), EVP_aes_256_cbc(), nullptr, raw(key),
                                      raw(start), encrypt ? 1 : 0) == 1 &&
                    EVP_CIPHER_CTX_set_padding(cipher.get(), 0) == 1 &&
                    EVP_CipherUpdate(cipher.get(), reinterpret_cast<unsigned char*>(out.data()),
                                     &length, raw(input), static_cast<int>(input.size())) == 1;
  if (!done) return bad_expression("AES failed");
  out.resize(static_cast<std::size_t>(length));
  return out;
}

// The start vector is drawn as sprig's random texts are: the same at the same time.
Value encrypt_aes(Arguments a, CallContext& context) {
  std::string text = a[1].as_string();
  if (text.empty()) return RuntimeValue("");
  TRY_VOID(context.grow(text.size()));
  const std::size_t padding = kBlock - text.size() % kBlock;
  text.append(padding, static_cast<char>(padding));
  std::string start;
  while (start.size() < kBlock) start += static_cast<char>(draw(context) & 0xFFU);
  TRY(const std::string encrypted, aes(key_of(a[0].as_string()), start, text, true));
  return RuntimeValue(base64_encode(start + encrypted));
}

Value decrypt_aes(Arguments a, CallContext&) {
  if (a[1].as_string().empty()) return RuntimeValue("");
  TRY(const std::string bytes, base64_decode(a[1].as_string()));
  if (bytes.size() <= kBlock) return bad_expression("runtime error: index out of range");
  if (bytes.size() % kBlock != 0) {
    return bad_expression("crypto/cipher: input not full blocks");
  }
  TRY(std::string text,
      aes(key_of(a[0].as_string()), bytes.substr(0, kBlock), bytes.substr(kBlock), false));
  const std::size_t padding = static_cast<unsigned char>(text.back());
  if (padding > text.size()) return bad_expression("runtime error: slice bounds out of range");
  text.resize(text.size() - padding);
  return RuntimeValue(std::move(text));
}

Value no_secrets(Arguments, CallContext&) {
  return bad_expression(
      "this sprig function makes secrets and is not supported: make them in a step instead");
}

Value no_network(Arguments, CallContext&) {
  return bad_expression("sprig.getHostByName is not supported: expressions have no network");
}

// An expression has no uint32, so that Argo's call always fails, too.
Value derive_password(Arguments, CallContext&) {
  return bad_expression("reflect: Call using int as type uint32");
}

constexpr std::array kRows = std::to_array<Builtin>({
    {"bcrypt", sig::kText, no_secrets, "not supported"},
    {"buildCustomCert", sig::kText2, no_secrets, "not supported"},
    {"decryptAES", sig::kText2, decrypt_aes, "text from AES-256-CBC in Base64"},
    {"derivePassword", sig::kMany, derive_password, "never callable, as in Argo"},
    {"encryptAES", sig::kText2, encrypt_aes, "text as AES-256-CBC in Base64"},
    {"genCA", sig::kMany, no_secrets, "not supported"},
    {"genCAWithKey", sig::kMany, no_secrets, "not supported"},
    {"genPrivateKey", sig::kText, no_secrets, "not supported"},
    {"genSelfSignedCert", sig::kMany, no_secrets, "not supported"},
    {"genSelfSignedCertWithKey", sig::kMany, no_secrets, "not supported"},
    {"genSignedCert", sig::kMany, no_secrets, "not supported"},
    {"genSignedCertWithKey", sig::kMany, no_secrets, "not supported"},
    {"getHostByName", sig::kText, no_network, "not supported"},
    {"htpasswd", sig::kText2, no_secrets, "not supported"},
});

}  // namespace

std::span<const Builtin> sprig_crypto_rows() { return kRows; }

}  // namespace tiphys::expr
