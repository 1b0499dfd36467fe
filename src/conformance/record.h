// What is known of a golden beside its state: how it is run, and what of it may differ.
//
// `manifest.json` beside the goldens holds the records, in its list `goldens`; a golden without a
// record must be given exactly. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "value/value.h"

namespace tiphys::conformance {

struct Record {
  using Words = std::vector<std::pair<std::string, std::string>>;  // a word, and what stands for it

  std::string name;
  std::string workflow;              // metadata.name; the golden's name when not told
  std::string group = "portable";    // `class`: portable, timing, random or cluster
  std::vector<std::string> ignored;  // paths: `progress`, `nodes[~[0].a].outputs.result`
  std::vector<Words> variants;       // the golden with words exchanged is as right (a coin)
  bool has_free_attempts = false;    // only the Retry node counts, not its attempts
  bool allows_more_hooks = false;    // hooks that the golden lacks are right
  bool is_rejected = false;          // the manifest must be refused
  int resumes = 0;                   // how often it waits for a `resume`
};

/// The records of a manifest.json, or of a bare list of them.
[[nodiscard]] std::vector<Record> read_records(const value::Value& manifest);

/// The record of `name`, or one that allows nothing.
[[nodiscard]] Record record_of(const std::vector<Record>& records, const std::string& name);

}  // namespace tiphys::conformance
