// The pieces of a Go time layout ("2006-01-02"), shared by formatting and parsing.
//
// Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace tiphys::expr {

/// What a piece of a layout stands for; the comment is its text.
enum class Chunk : std::uint8_t {
  kNone,
  kLongMonth,            // January
  kMonth,                // Jan
  kNumMonth,             // 1
  kZeroMonth,            // 01
  kLongWeekDay,          // Monday
  kWeekDay,              // Mon
  kDay,                  // 2
  kUnderDay,             // _2
  kZeroDay,              // 02
  kUnderYearDay,         // __2
  kZeroYearDay,          // 002
  kHour,                 // 15
  kHour12,               // 3
  kZeroHour12,           // 03
  kMinute,               // 4
  kZeroMinute,           // 04
  kSecond,               // 5
  kZeroSecond,           // 05
  kLongYear,             // 2006
  kYear,                 // 06
  kUpperPm,              // PM
  kLowerPm,              // pm
  kZoneName,             // MST
  kIsoZone,              // Z0700
  kIsoSecondsZone,       // Z070000
  kIsoShortZone,         // Z07
  kIsoColonZone,         // Z07:00
  kIsoColonSecondsZone,  // Z07:00:00
  kNumZone,              // -0700
  kNumSecondsZone,       // -070000
  kNumShortZone,         // -07
  kNumColonZone,         // -07:00
  kNumColonSecondsZone,  // -07:00:00
  kFraction0,            // .000 or ,000
  kFraction9,            // .999 or ,999
};

/// The first piece in a layout: the text before it, the piece, the text after it.
struct NextChunk {
  std::string_view before;
  Chunk chunk = Chunk::kNone;
  std::string_view text;  // the piece itself
  std::string_view after;
};
/// Splits `layout` at its first piece; without one, all of it is `before`.
[[nodiscard]] NextChunk next_chunk(std::string_view layout);

}  // namespace tiphys::expr
