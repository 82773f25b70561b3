using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Tracing;

/// <summary>What traces write, where, and how much of it.</summary>
internal sealed class TraceOptions
{
    public const string Section = "Trace";

    /// <summary>The folder of this process's trace files; made when the first trace begins. Null is `trace` in `Storage:DataDirectory`.</summary>
    public string? Directory { get; set; }

    /// <summary>Whether payloads are written: `hidden` or `text`, which is up to 1,024 bytes of each.</summary>
    [AllowedValues("hidden", "text")]
    public string Payload { get; set; } = "hidden";

    /// <summary>Largest file of one trace in one process; what comes later is counted as dropped.</summary>
    [Range(4096, 1024 * 1024 * 1024)]
    public long MaxFileBytes { get; set; } = 64 * 1024 * 1024;
}
