// Decimal numbers of any length: sprig's addf, subf, mulf and divf compute with them, so that
// addf(0.1, 0.2) is 0.3.
//
// A whole coefficient (OpenSSL's BIGNUM) and a power of ten, as shopspring/decimal v1.4. Pure.
#pragma once

#include <cstdint>
#include <memory>

#include <openssl/bn.h>

#include "diag/error.h"

namespace tiphys::expr {

enum class DecimalOperation : std::uint8_t { kAdd, kSubtract, kMultiply, kDivide };

class Decimal {
 public:
  /// The number that the shortest text of `d` stands for. Errors: kBadExpression for NaN and
  /// infinities.
  [[nodiscard]] static diag::Result<Decimal> from(double d);
  /// This number and `b` combined; quotients are rounded to 16 decimal places, half away from 0.
  /// Errors: kBadExpression `decimal division by 0`.
  [[nodiscard]] diag::Result<Decimal> combined(DecimalOperation operation, const Decimal& b) const;
  /// The nearest float64.
  [[nodiscard]] double to_float() const;

 private:
  struct Free {
    void operator()(BIGNUM* n) const { BN_free(n); }
  };
  using Number = std::unique_ptr<BIGNUM, Free>;

  Decimal(Number coefficient, int exponent)
      : coefficient_(std::move(coefficient)), exponent_(exponent) {}
  // The coefficient for a smaller exponent.
  [[nodiscard]] Number scaled(int exponent) const;
  [[nodiscard]] Decimal quotient(const Decimal& b) const;

  Number coefficient_;
  int exponent_ = 0;
};

}  // namespace tiphys::expr
