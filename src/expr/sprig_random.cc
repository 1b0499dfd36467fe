// sprig's random functions. They draw from the context's generator, which the expression's clock
// seeds: the same expression at the same time gives the same result, so that a run can be repeated.
// They are no source of secrets.
#include <fmt/core.h>

#include "expr/base64.h"
#include "expr/builtin_table.h"
#include "expr/sprig_table.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

Value random_text(Arguments a, std::string_view alphabet, CallContext& context) {
  const std::int64_t count = a[0].as_integer();
  if (count <= 0) return RuntimeValue("");
  TRY_VOID(context.grow(static_cast<std::uint64_t>(count)));
  std::string out;
  for (std::int64_t i = 0; i < count; ++i) {
    out += alphabet[draw(context) % alphabet.size()];
  }
  return RuntimeValue(std::move(out));
}

Value rand_alpha(Arguments a, CallContext& context) { return random_text(a, kLetters, context); }
Value rand_numeric(Arguments a, CallContext& context) { return random_text(a, kDigits, context); }

Value rand_alpha_num(Arguments a, CallContext& context) {
  return random_text(a, std::string(kLetters).append(kDigits), context);
}

Value rand_ascii(Arguments a, CallContext& context) {
  std::string alphabet;
  for (char c = ' '; c < 127; ++c) alphabet += c;
  return random_text(a, alphabet, context);
}

std::string random_bytes(std::size_t count, CallContext& context) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += static_cast<char>(draw(context) & 0xFFU);
  return out;
}

Value rand_bytes(Arguments a, CallContext& context) {
  const std::int64_t count = a[0].as_integer();
  if (count < 0) return bad_expression("runtime error: makeslice: len out of range");
  TRY_VOID(context.grow(static_cast<std::uint64_t>(count)));
  return RuntimeValue(base64_encode(random_bytes(static_cast<std::size_t>(count), context)));
}

Value rand_int(Arguments a, CallContext& context) {
  const std::int64_t low = a[0].as_integer();
  const std::int64_t high = a[1].as_integer();
  if (high <= low) return bad_expression("invalid argument to Intn");
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  return RuntimeValue(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + draw(context) % span));
}

Value uuidv4(Arguments, CallContext& context) {
  std::string bytes = random_bytes(16, context);
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
  }
  return RuntimeValue(std::move(out));
}

constexpr std::array kIntType = {Type::kInt};
constexpr std::array kIntIntTypes = {Type::kInt, Type::kInt};
constexpr std::array kInt = {Signature{kIntType, false, Type::kAny}};
constexpr std::array kIntInt = {Signature{kIntIntTypes, false, Type::kAny}};

constexpr std::array kRows = std::to_array<Builtin>({
    {"randAlpha", kInt, rand_alpha, "random letters, fixed by the clock"},
    {"randAlphaNum", kInt, rand_alpha_num, "random letters and digits, fixed by the clock"},
    {"randAscii", kInt, rand_ascii, "random ASCII characters, fixed by the clock"},
    {"randBytes", kInt, rand_bytes, "random bytes as Base64, fixed by the clock"},
    {"randInt", kIntInt, rand_int, "a random number from, to before, fixed by the clock"},
    {"randNumeric", kInt, rand_numeric, "random digits, fixed by the clock"},
    {"uuidv4", sig::kNothing, uuidv4, "a random UUID, fixed by the clock"},
});

}  // namespace

std::uint64_t draw(CallContext& context) {
  if (context.random == 0) context.random = static_cast<std::uint64_t>(context.now.ns);
  return context.next_random();
}

std::span<const Builtin> sprig_random_rows() { return kRows; }

}  // namespace tiphys::expr
