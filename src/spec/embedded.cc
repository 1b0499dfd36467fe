#include "spec/embedded.h"

#include <algorithm>
#include <array>

namespace tiphys::spec {
namespace {

/// `fields`, between blanks, are the struct's own; or, where `are_inner`, those of the inner one.
struct Row {
  std::string_view type;
  std::string_view inner;
  std::string_view fields;
  bool are_inner = false;
};

constexpr std::array kRows = std::to_array<Row>({
    {"v1alpha1.ScriptTemplate", "Container", " source "},
    {"v1alpha1.UserContainer", "Container", " mirrorVolumeMounts "},
    {"v1alpha1.ContainerNode", "Container", " dependencies "},
    {"v1alpha1.Artifact", "ArtifactLocation",
     " archiveLogs s3 git http artifactory hdfs raw oss gcs azure plugin ", true},
    {"v1alpha1.S3Artifact", "S3Bucket", " key "},
    {"v1alpha1.OSSArtifact", "OSSBucket", " key "},
    {"v1alpha1.GCSArtifact", "GCSBucket", " key "},
    {"v1alpha1.AzureArtifact", "AzureBlobContainer", " blob "},
    {"v1alpha1.ArtifactoryArtifact", "ArtifactoryAuth", " url "},
    {"v1alpha1.HDFSArtifact", "HDFSConfig", " addresses hdfsUser dataTransferProtection ", true},
    {"v1alpha1.HDFSArtifact", "HDFSConfig.HDFSKrbConfig", " path force "},
    {"v1.Volume", "VolumeSource", " name "},
    {"v1.Probe", "ProbeHandler", " exec httpGet tcpSocket grpc ", true},
    {"v1.ConfigMapKeySelector", "LocalObjectReference", " name ", true},
    {"v1.SecretKeySelector", "LocalObjectReference", " name ", true},
    {"v1.ConfigMapEnvSource", "LocalObjectReference", " name ", true},
    {"v1.SecretEnvSource", "LocalObjectReference", " name ", true},
    {"v1.ConfigMapProjection", "LocalObjectReference", " name ", true},
    {"v1.SecretProjection", "LocalObjectReference", " name ", true},
    {"v1.ConfigMapVolumeSource", "LocalObjectReference", " name ", true},
});

bool holds_word(std::string_view words, std::string_view word) {
  const auto at = words.find(word);
  return at != std::string_view::npos && words[at - 1] == ' ' && words[at + word.size()] == ' ';
}

}  // namespace

std::string_view embedded_in(std::string_view type, std::string_view field) {
  const auto row = std::ranges::find_if(kRows, [&](const Row& r) {
    return r.type == type && holds_word(r.fields, field) == r.are_inner;
  });
  return row == kRows.end() ? std::string_view() : row->inner;
}

}  // namespace tiphys::spec
