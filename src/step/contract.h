// What the engine and tiphys-step agree upon: places inside a pod and names of variables.
//
// The places are those of Argo's executor where scripts may name them. Pure data.
#pragma once

#include <cstdint>

namespace tiphys::step {

// Of one emptyDir that all containers of a pod share.
inline constexpr const char* kVolume = "var-run-argo";
inline constexpr const char* kSharedFolder = "/var/run/argo";
inline constexpr const char* kProgram = "/var/run/argo/tiphys-step";
inline constexpr const char* kEnded = "/var/run/argo/ended";  // a file for each that has ended
inline constexpr const char* kSharedCertificates = "/var/run/argo/ca-certificates.crt";
inline constexpr const char* kProgressFile = "/var/run/argo/progress";
inline constexpr const char* kScript = "/argo/staging/script";
inline constexpr const char* kScriptPart = "staging";  // of the emptyDir
inline constexpr const char* kInputsPart = "inputs";   // of the emptyDir, a name for each artifact
inline constexpr const char* kMainFiles = "/mainctrfs";  // where init sees the volumes of main

// Variables of tiphys-step; those that end in an underscore are numbered from 0.
inline constexpr const char* kContainer = "TIPHYS_CONTAINER";
inline constexpr const char* kNonce = "TIPHYS_NONCE";
inline constexpr const char* kWantsResult = "TIPHYS_WANTS_RESULT";  // set: stdout is kept
inline constexpr const char* kOutput = "TIPHYS_OUTPUT_";            // a path to be collected
inline constexpr const char* kAfter = "TIPHYS_AFTER_";  // a container that must have succeeded
inline constexpr const char* kUntil = "TIPHYS_UNTIL_";  // of a sidecar: it ends with these
inline constexpr const char* kAttempts = "TIPHYS_ATTEMPTS";
inline constexpr const char* kPause = "TIPHYS_PAUSE_NS";    // between two attempts
inline constexpr const char* kInput = "TIPHYS_INPUT_";      // base64 of a part of the files
inline constexpr const char* kFetch = "TIPHYS_FETCH_";      // a Transfer that init makes
inline constexpr const char* kSend = "TIPHYS_SEND_";        // one that the container makes
inline constexpr const char* kTrusted = "TIPHYS_TRUSTED_";  // certificates in PEM
inline constexpr const char* kVariables = "TIPHYS_";        // none of these reaches the command

// Inputs that are no larger, and outputs that are not together, go the engine's way.
inline constexpr std::int64_t kSmall = std::int64_t{256} << 10U;

inline constexpr int kExitNotStarted = 64;  // as Argo's emissary

}  // namespace tiphys::step
