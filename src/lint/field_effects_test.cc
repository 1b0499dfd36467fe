// Goal: no field of Argo's is dropped in silence: each has its row, and those without effect are
// told.
#include "lint/field_effects.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "lint/lint.h"
#include "spec/manifest.h"
#include "spec/schema.h"

namespace tiphys::lint {
namespace {

std::multiset<std::string> words_of(const FieldEffects& row) {
  std::multiset<std::string> words;
  for (const std::string_view list : {row.acted_on, row.pending, row.idle}) {
    std::istringstream in{std::string(list)};
    for (std::string word; in >> word;) words.insert(word);
  }
  return words;
}

TEST(FieldEffects, KnowEveryFieldOfTheirStructs) {
  for (const char* type :
       {"v1alpha1.WorkflowSpec", "v1alpha1.WorkflowMetadata", "v1alpha1.Template", "v1.Container",
        "v1alpha1.ScriptTemplate", "v1.EnvVarSource", "v1.VolumeMount", "v1.Volume",
        "v1.DownwardAPIVolumeFile", "v1alpha1.Artifact", "v1alpha1.ArtifactLocation",
        "v1alpha1.S3Artifact", "v1alpha1.CreateS3BucketOptions", "v1alpha1.S3EncryptionOptions",
        "v1alpha1.HTTPArtifact", "v1alpha1.HTTPAuth", "v1alpha1.ValueFrom",
        "v1alpha1.RetryStrategy"}) {
    std::multiset<std::string> fields;
    for (const spec::Field& field : *spec::fields_of(type)) fields.emplace(field.name);
    const FieldEffects* row = find_effects(type);
    ASSERT_NE(row, nullptr) << type;
    EXPECT_EQ(words_of(*row), fields) << type;
  }
}

std::string told_of(const std::string& text, bool has_cluster = false) {
  std::vector<diag::Diagnostic> findings;
  const auto manifests = spec::load_manifests("kind: Workflow\nmetadata: {name: w}\n" + text,
                                              "f.yaml", findings, spec::UnknownFields::kError);
  std::string out;
  for (const auto& m : manifests) {
    for (const auto& d : inactive_features(m.object, m.positions.get(), has_cluster)) {
      out += std::to_string(d.error.at.line) + ": " + d.error.message + "\n";
    }
  }
  return out;
}

TEST(FieldEffects, AProbeThatADaemonIsAskedIsActedOn) {
  const auto told = [](const std::string& more) {
    return told_of(
        "spec:\n  entrypoint: m\n  templates:\n  - name: m\n    daemon: true\n"
        "    container: {image: i, readinessProbe: {" +
        more + "}}\n");
  };
  EXPECT_EQ("", told("httpGet: {port: 80}"));
  EXPECT_EQ("", told("tcpSocket: {port: 80}"));
  EXPECT_EQ("8: template 'm': container.readinessProbe is not acted on yet\n",
            told("exec: {command: [x]}"));
}

TEST(FieldEffects, AreToldOncePerTemplateWhereARunDependsOnThem) {
  EXPECT_EQ(told_of("spec:\n"
                    "  entrypoint: m\n"
                    "  nodeSelector: {a: b}\n"
                    "  artifactGC: {strategy: Never}\n"
                    "  templates:\n"
                    "  - name: m\n"
                    "    inputs: {artifacts: [{name: a, path: /a, raw: {data: x}}]}\n"
                    "    container:\n"
                    "      image: i\n"
                    "      lifecycle: {postStart: {}}\n"
                    "      volumeMounts:\n"
                    "      - {name: v, mountPath: /v, recursiveReadOnly: x}\n"
                    "      - {name: v, mountPath: /w, recursiveReadOnly: x}\n"
                    "  - name: s\n"
                    "    steps:\n"
                    "    - - {name: x, inline: {hostAliases: [{ip: 127.0.0.1}]}}\n"),
            "12: template 'm': container.lifecycle is not acted on yet\n"
            "14: template 'm': container.volumeMounts.recursiveReadOnly is not acted on yet\n"
            "18: inline: hostAliases is not acted on yet\n");
}

TEST(FieldEffects, OfServersForObjectsAreToldWithTheirPath) {
  EXPECT_EQ(told_of("spec:\n"
                    "  entrypoint: m\n"
                    "  templates:\n"
                    "  - name: m\n"
                    "    inputs:\n"
                    "      artifacts:\n"
                    "      - name: a\n"
                    "        path: /a\n"
                    "        s3:\n"
                    "          {key: k, bucket: b, endpoint: s3.amazonaws.com,\n"
                    "           roleARN: r,\n"
                    "           encryptionOptions: {serverSideCustomerKeySecret: {key: x}}}\n"
                    "    container: {image: i}\n"),
            "13: template 'm': inputs.artifacts.s3.roleARN is not acted on yet\n"
            "14: template 'm': "
            "inputs.artifacts.s3.encryptionOptions.serverSideCustomerKeySecret is not acted on "
            "yet\n");
}

TEST(FieldEffects, OfPodsAreNotToldWhereStepsArePods) {
  const std::string text =
      "spec:\n"
      "  entrypoint: m\n"
      "  dnsPolicy: None\n"
      "  templates:\n"
      "  - {name: m, container: {image: i, lifecycle: {postStart: {}}}}\n";
  EXPECT_EQ(told_of(text, true), "");
  EXPECT_NE(told_of(text).find("dnsPolicy"), std::string::npos);
}

}  // namespace
}  // namespace tiphys::lint
