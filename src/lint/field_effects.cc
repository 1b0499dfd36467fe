#include "lint/field_effects.h"

namespace tiphys::lint {

namespace {

constexpr FieldEffects kTable[] = {
    {.type = "v1alpha1.WorkflowSpec",
     .acted_on = "templates entrypoint arguments serviceAccountName volumes volumeClaimTemplates "
                 "parallelism suspend onExit activeDeadlineSeconds priority shutdown "
                 "workflowTemplateRef retryStrategy templateDefaults hooks workflowMetadata "
                 "archiveLogs synchronization artifactRepositoryRef "
                 "executorPlugins metrics artifactGC ttlStrategy podGC podSpecPatch "
                 "securityContext",
     .pending = "dnsPolicy dnsConfig hostAliases "
                "podResources resourceClaims",
     .idle = "automountServiceAccountToken executor nodeSelector affinity tolerations "
             "imagePullSecrets hostNetwork schedulerName podPriorityClassName "
             "podDisruptionBudget volumeClaimGC podMetadata"},
    {.type = "v1alpha1.WorkflowMetadata",
     .acted_on = "labels annotations labelsFrom",
     .pending = "",
     .idle = ""},
    {.type = "v1alpha1.Template",
     .acted_on = "name inputs outputs metadata annotations steps dag container script suspend http "
                 "volumes archiveLocation activeDeadlineSeconds retryStrategy parallelism failFast "
                 "timeout pendingTimeout containerSet data daemon initContainers sidecars "
                 "synchronization memoize "
                 "plugin metrics podSpecPatch securityContext resource",
     .pending = "hostAliases "
                "podResources resourceClaims",
     .idle = "nodeSelector affinity tolerations schedulerName priorityClassName serviceAccountName "
             "automountServiceAccountToken executor"},
    {.type = "v1.Container",
     .acted_on = "name image command args workingDir env envFrom volumeMounts securityContext "
                 "resources",
     .pending = "restartPolicy restartPolicyRules volumeDevices livenessProbe "
                "readinessProbe startupProbe lifecycle",
     .idle = "ports resizePolicy terminationMessagePath terminationMessagePolicy imagePullPolicy "
             "stdin stdinOnce tty"},
    {.type = "v1alpha1.ScriptTemplate",
     .acted_on = "name image command args workingDir env envFrom volumeMounts source "
                 "securityContext resources",
     .pending = "restartPolicy restartPolicyRules volumeDevices livenessProbe "
                "readinessProbe startupProbe lifecycle",
     .idle = "ports resizePolicy terminationMessagePath terminationMessagePolicy imagePullPolicy "
             "stdin stdinOnce tty"},
    {.type = "v1.EnvVarSource",
     .acted_on = "configMapKeyRef secretKeyRef fieldRef resourceFieldRef",
     .pending = "fileKeyRef",
     .idle = ""},
    {.type = "v1.VolumeMount",
     .acted_on = "name mountPath subPath subPathExpr readOnly",
     .pending = "recursiveReadOnly",
     .idle = "mountPropagation"},
    {.type = "v1.Volume",
     .acted_on =
         "name hostPath emptyDir secret configMap projected persistentVolumeClaim ephemeral "
         "downwardAPI",
     .pending = "gcePersistentDisk awsElasticBlockStore gitRepo nfs iscsi glusterfs rbd flexVolume "
                "cinder cephfs flocker fc azureFile vsphereVolume quobyte azureDisk "
                "photonPersistentDisk portworxVolume scaleIO storageos csi image",
     .idle = ""},
    {.type = "v1.DownwardAPIVolumeFile",
     .acted_on = "path fieldRef mode",
     .pending = "resourceFieldRef",
     .idle = ""},
    {.type = "v1alpha1.Artifact",
     .acted_on = "name path mode from archiveLogs s3 gcs oss azure raw http globalName archive "
                 "optional subPath recurseMode fromExpression deleted git artifactGC",
     .pending = "artifactory hdfs plugin",
     .idle = ""},
    {.type = "v1alpha1.ArtifactLocation",
     .acted_on = "archiveLogs s3 gcs oss azure raw http",
     .pending = "git artifactory hdfs plugin",
     .idle = ""},
    {.type = "v1alpha1.S3Artifact",
     .acted_on = "endpoint bucket region insecure accessKeySecret secretKeySecret "
                 "sessionTokenSecret useSDKCreds createBucketIfNotPresent encryptionOptions "
                 "caSecret addressingStyle key",
     .pending = "roleARN",
     .idle = ""},
    {.type = "v1alpha1.CreateS3BucketOptions",
     .acted_on = "",
     .pending = "objectLocking",
     .idle = ""},
    {.type = "v1alpha1.S3EncryptionOptions",
     .acted_on = "kmsKeyId kmsEncryptionContext enableEncryption",
     .pending = "serverSideCustomerKeySecret",
     .idle = ""},
    {.type = "v1alpha1.HTTPArtifact",
     .acted_on = "url headers auth",
     .pending = "",
     .idle = "saveStreamViaFile"},
    {.type = "v1alpha1.HTTPAuth",
     .acted_on = "basicAuth",
     .pending = "clientCert oauth2",
     .idle = ""},
    {.type = "v1alpha1.ValueFrom",
     .acted_on = "path parameter supplied configMapKeyRef default expression "
                 "jsonPath jqFilter",
     .pending = "event",
     .idle = ""},
    {.type = "v1alpha1.RetryStrategy",
     .acted_on = "limit retryPolicy backoff expression",
     .pending = "",
     .idle = "affinity"},
};

bool names(std::string_view list, std::string_view field) {
  while (!list.empty()) {
    const std::size_t end = list.find(' ');
    if (list.substr(0, end) == field) return true;
    if (end == std::string_view::npos) return false;
    list.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

const FieldEffects* find_effects(std::string_view type) {
  for (const FieldEffects& row : kTable) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

FieldEffect effect_of(const FieldEffects& effects, std::string_view field) {
  if (names(effects.pending, field)) return FieldEffect::kPending;
  return names(effects.idle, field) ? FieldEffect::kIdle : FieldEffect::kActedOn;
}

}  // namespace tiphys::lint
