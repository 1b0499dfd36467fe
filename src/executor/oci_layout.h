// Images in OCI layout folders: finding one by its name, and its layers as folders.
//
// A layout is a folder with `index.json` and `blobs/`; `skopeo copy … oci:DIR:NAME` and `podman
// save --format oci-dir` make them. DIR may be one itself, or hold several. Each layer is unpacked
// once into a folder of its own, named by its digest, with whiteouts as overlayfs has them: so
// images share layers, and nothing that is unpacked can follow a link of another layer out of its
// folder. Blocks; one thread at a time.
#pragma once

#include <optional>
#include <string>

#include "diag/error.h"
#include "executor/image.h"

namespace tiphys::executor {

/// Where an image of a layout is.
struct OciPlace {
  std::string layout;  // the folder
  std::string digest;  // of its manifest: `sha256:..`
};

/// The image `name` in `folder`: by the annotation of the index, which may be the whole name or, in
/// a layout whose folder is called like the image, the tag alone. Nothing when it is not there.
[[nodiscard]] std::optional<OciPlace> find_in_layouts(const std::string& folder,
                                                      const std::string& name);

/// Its configuration, and its layers below `layers_folder`, unpacked there if they are not yet.
/// Errors: kIo, kInvalidManifest with what is wrong with the layout.
[[nodiscard]] diag::Result<Image> load_oci_image(const OciPlace& place, const std::string& name,
                                                 const std::string& layers_folder);

}  // namespace tiphys::executor
