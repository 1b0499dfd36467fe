#include "expr/sprig_decimal.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "expr/builtin_table.h"
#include "expr/number_text.h"

namespace tiphys::expr {
namespace {

struct FreeContext {
  void operator()(BN_CTX* c) const { BN_CTX_free(c); }
};
using Scratch = std::unique_ptr<BN_CTX, FreeContext>;

}  // namespace

diag::Result<Decimal> Decimal::from(double d) {
  if (!std::isfinite(d)) return bad_expression(fmt::format("Cannot create a Decimal from {}", d));
  std::string digits = fmt::format("{}", std::fabs(d));
  int exponent = 0;
  if (const std::size_t e = digits.find('e'); e != std::string::npos) {
    exponent = static_cast<int>(parse_decimal(digits.substr(e + 1)).value_or(0));
    digits.resize(e);
  }
  if (const std::size_t dot = digits.find('.'); dot != std::string::npos) {
    exponent -= static_cast<int>(digits.size() - dot - 1);
    digits.erase(dot, 1);
  }
  BIGNUM* parsed = nullptr;
  BN_dec2bn(&parsed, digits.c_str());
  Number coefficient(parsed);
  BN_set_negative(coefficient.get(), d < 0 ? 1 : 0);
  return Decimal(std::move(coefficient), exponent);
}

Decimal::Number Decimal::scaled(int exponent) const {
  Number out(BN_dup(coefficient_.get()));
  for (int left = exponent_ - exponent; left > 0;) {
    const int part = std::min(left, 9);
    BN_mul_word(out.get(), static_cast<BN_ULONG>(std::llround(std::pow(10, part))));
    left -= part;
  }
  return out;
}

Decimal Decimal::quotient(const Decimal& b) const {
  constexpr int kPlaces = 16;
  // a / b in units of 10^-16: both sides scaled to whole numbers.
  const int top_exponent = std::min(exponent_, b.exponent_ - kPlaces);
  const Number top = scaled(top_exponent);
  const Number bottom = b.scaled(std::min(b.exponent_, top_exponent + kPlaces));
  const Scratch scratch(BN_CTX_new());
  Number out(BN_new());
  const Number rest(BN_new());
  BN_div(out.get(), rest.get(), top.get(), bottom.get(), scratch.get());
  const bool negative = BN_is_negative(top.get()) != BN_is_negative(bottom.get());
  BN_lshift1(rest.get(), rest.get());
  if (BN_ucmp(rest.get(), bottom.get()) >= 0) {
    if (negative) {
      BN_sub_word(out.get(), 1);
    } else {
      BN_add_word(out.get(), 1);
    }
  }
  return Decimal(std::move(out), -kPlaces);
}

diag::Result<Decimal> Decimal::combined(DecimalOperation operation, const Decimal& b) const {
  if (operation == DecimalOperation::kDivide) {
    if (BN_is_zero(b.coefficient_.get())) return bad_expression("decimal division by 0");
    return quotient(b);
  }
  Number out(BN_new());
  if (operation == DecimalOperation::kMultiply) {
    const Scratch scratch(BN_CTX_new());
    BN_mul(out.get(), coefficient_.get(), b.coefficient_.get(), scratch.get());
    return Decimal(std::move(out), exponent_ + b.exponent_);
  }
  const int exponent = std::min(exponent_, b.exponent_);
  const Number left = scaled(exponent);
  const Number right = b.scaled(exponent);
  if (operation == DecimalOperation::kAdd) {
    BN_add(out.get(), left.get(), right.get());
  } else {
    BN_sub(out.get(), left.get(), right.get());
  }
  return Decimal(std::move(out), exponent);
}

double Decimal::to_float() const {
  char* const digits = BN_bn2dec(coefficient_.get());
  const std::string text = fmt::format("{}e{}", digits, exponent_);
  OPENSSL_free(digits);
  return parse_float(text).value_or(0);
}

}  // namespace tiphys::expr
