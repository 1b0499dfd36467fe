// A step's own view of the file system: which paths are private to it, and where they really lie.
//
// A template's declared paths (artifacts, output parameters, volumes) must not meet those of
// another step. So the deepest existing folder above each gets an overlayfs whose upper layer lies
// in the step's scratch folder; the rest of the host is shared as it is. Undeclared paths that a
// command mentions directly below /tmp, /var/tmp or /mnt, and that do not exist yet, are private in
// the same way; what exists and is mentioned is the host's. Where mounts are refused, declared
// paths are rewritten in the step's words and environment instead (rewrite()). Plans are made and
// read by an executor's thread; the mounts are done by the supervisor's child.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "executor/wire.h"

namespace tiphys::executor {

/// A folder or file of the host to be seen elsewhere.
struct Placement {
  std::string path;           // as the step sees it
  std::string source;         // as it is
  bool is_read_only = false;  // as a view with mounts makes it; where paths are rewritten it is not
  std::string trusted = {};   // what `source` begins with and no step can change; "": all of it
};

/// What a view is made from.
struct ViewRequest {
  std::string scratch;  // a folder of this step alone, absolute; upper layers go there
  std::vector<std::string> declared = {};  // absolute paths that are private
  std::vector<std::string> outputs = {};   // of these, the ones that must not exist beforehand
  std::vector<Placement> volumes = {};
  std::vector<std::string> mentioned = {};  // absolute paths in the step's words
  bool may_mount = true;
};

/// What the view of a step that runs in an image is made from.
struct ImageViewRequest {
  std::string scratch;  // a folder of this step alone, absolute; what it writes goes there
  std::vector<std::string> layers;  // folders of the image, the uppermost first
  std::vector<Placement> volumes = {};
  std::string working_folder = "/";  // as the step sees it
};

class View {
 public:
  /// The host's own view.
  View() = default;

  /// Decides what is private and makes the folders for it. Errors: kIo.
  [[nodiscard]] static diag::Result<View> make(const ViewRequest& request);

  /// The image's files, with a layer on top that is the step's own. Makes what the volumes are
  /// mounted on and the working folder. Errors: kIo.
  [[nodiscard]] static diag::Result<View> make_in_image(const ImageViewRequest& request);

  [[nodiscard]] bool is_of_image() const { return !working_folder_.empty(); }
  /// Of a step in an image: what overlayfs is to mount, and on which folder; else "".
  [[nodiscard]] std::string image_options() const;
  [[nodiscard]] std::string image_root() const;
  /// Of a step in an image, else "".
  [[nodiscard]] const std::string& working_folder() const { return working_folder_; }
  [[nodiscard]] const std::vector<Placement>& volumes() const { return volumes_; }

  /// `path` without links, as the step sees it; "" when it goes through what was removed.
  [[nodiscard]] std::string seen_path(std::string_view path) const;
  /// Where a path of the step lies on the host; "" when it does not exist in its view although the
  /// host has it. Symbolic links are followed as the step would see them.
  [[nodiscard]] std::string real_path(std::string_view path) const;
  /// Where to put a file so that the step finds it at `path`; makes the folders above. Errors: kIo.
  [[nodiscard]] diag::Result<std::string> place_for(std::string_view path) const;

  /// Makes an output folder of a step in an image complete where real_path() says it lies.
  /// Errors: kIo.
  [[nodiscard]] diag::Result<void> complete(std::string_view path) const;

  /// Whether a clean path lies on one of the volumes.
  [[nodiscard]] bool is_on_volume(std::string_view path) const {
    return volume_of(path) != nullptr;
  }

  [[nodiscard]] const std::vector<wire::Mount>& mounts() const { return mounts_; }
  [[nodiscard]] const std::string& root() const { return root_; }
  /// Replaces private paths in `text` by where they lie; only does something when mounts are not
  /// used.
  [[nodiscard]] std::string rewrite(std::string text) const;

  /// As text, for a later engine, and back. Mounts are left out: the step has started.
  [[nodiscard]] std::string save() const;
  [[nodiscard]] static View load(std::string_view text);

 private:
  struct Layer {
    std::string folder;  // on the host, without links
    std::string place;   // in the scratch folder: upper `u`, overlayfs's work folder `w`, mounted
                         // first at `m`
    std::vector<std::string> lowers = {};  // of an image; else `folder` itself
  };

  [[nodiscard]] const Layer* layer_of(std::string_view path) const;
  [[nodiscard]] const Placement* volume_of(std::string_view path) const;
  /// One lookup without following links: where `path` lies.
  [[nodiscard]] std::string locate(const std::string& path) const;
  [[nodiscard]] diag::Result<std::string> place_in_image(const std::string& path) const;
  [[nodiscard]] diag::Result<void> make_folder_in_image(const std::string& path) const;
  [[nodiscard]] diag::Result<void> make_volume_target(Placement& volume) const;
  void choose_layers(const ViewRequest& request);
  void add_layer(std::string folder);
  [[nodiscard]] diag::Result<void> make_layers(const ViewRequest& request);
  [[nodiscard]] diag::Result<void> make_volumes();
  [[nodiscard]] std::vector<Placement> shared_places(const ViewRequest& request) const;
  [[nodiscard]] diag::Result<void> make_mounts(const ViewRequest& request);
  void add_root_mounts();
  void hide_outputs(const ViewRequest& request) const;
  void use_rewriting(const ViewRequest& request);

  std::vector<Layer> layers_;       // deepest folder first
  std::vector<Placement> volumes_;  // deepest path first
  std::vector<Placement> rewritten_;
  std::vector<wire::Mount> mounts_;
  std::string root_;
  std::string working_folder_;
};

}  // namespace tiphys::executor
