// The events of libyaml for the first document of a text, each with the byte where it stands.
//
// Argo's reader is a port of libyaml, so both see the same tokens; the few texts that newer
// versions of libyaml take and Argo's reader does not are refused here. Pure: libyaml reads from
// memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <yaml.h>

#include "diag/error.h"
#include "spec/yaml_places.h"
#include "spec/yaml_reader.h"

namespace tiphys::spec {

/// One event; its texts stay until the next one.
struct YamlEvent {
  enum class Kind : std::uint8_t {
    kEnd,  // of the document
    kAlias,
    kScalar,
    kListStart,
    kListEnd,
    kMapStart,
    kMapEnd,
  };

  Kind kind = Kind::kEnd;
  bool is_plain = false;         // of a scalar: neither quoted nor a block
  bool is_absent = false;        // of a scalar: nothing stands there, as behind `a:`
  bool is_flow = false;          // of a list or map: in brackets
  std::size_t begin = 0;         // behind anchor and tag; of a scalar its first character
  std::string_view text = {};    // of a scalar
  std::string_view anchor = {};  // or what an alias names
  std::string_view tag = {};     // in full: `tag:yaml.org,2002:int`
};

class YamlEvents {
 public:
  /// Both must outlive the object.
  YamlEvents(std::string_view text, const YamlStyle& style);
  YamlEvents(const YamlEvents&) = delete;
  YamlEvents& operator=(const YamlEvents&) = delete;
  ~YamlEvents();

  /// Goes to the beginning of the document; false when the text holds none.
  [[nodiscard]] diag::Result<bool> open();
  /// Goes to the next event of the document, up to its end. After open() gave true.
  [[nodiscard]] diag::Result<void> next();
  [[nodiscard]] const YamlEvent& event() const { return event_; }
  [[nodiscard]] const YamlPlaces& places() const { return places_; }

 private:
  [[nodiscard]] diag::Result<void> parse();
  [[nodiscard]] diag::Result<void> check_directives() const;
  [[nodiscard]] diag::Result<void> check_scalar(yaml_scalar_style_t style) const;
  [[nodiscard]] diag::Result<void> take_node(const yaml_char_t* anchor, const yaml_char_t* tag);
  [[nodiscard]] diag::Result<void> take_scalar();
  [[nodiscard]] std::size_t first_character_of_block(std::size_t header) const;

  std::string_view text_;
  YamlPlaces places_;
  yaml_parser_t parser_{};
  yaml_event_t raw_{};
  YamlEvent event_;
  int flow_depth_ = 0;
};

}  // namespace tiphys::spec
