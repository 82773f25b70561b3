using System.ComponentModel.DataAnnotations;

namespace Broker.Grains.Interfaces.Metrics;

/// <summary>What this process sends to an OpenTelemetry collector.</summary>
public sealed class TelemetryOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "Telemetry";

    /// <summary>The collector, such as `http://127.0.0.1:4317`; empty if there is none.</summary>
    [RegularExpression(@"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?(/\S*)?")]
    public string OtlpEndpoint { get; set; } = "";

    /// <summary>How it is spoken to: `grpc` or `http/protobuf`. With the latter `/v1/traces` and `/v1/metrics` are added to the address.</summary>
    [RegularExpression("grpc|http/protobuf")]
    public string Protocol { get; set; } = "grpc";

    /// <summary>Headers that it asks for: `name=value`, with commas between them.</summary>
    public string Headers { get; set; } = "";

    /// <summary>Whether it gets traces.</summary>
    public bool Traces { get; set; } = true;

    /// <summary>Whether it gets metrics.</summary>
    public bool Metrics { get; set; } = true;

    /// <summary>How often it gets metrics.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan MetricsInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The part of all messages whose way is traced, 0 to 1.</summary>
    [Range(0.0, 1.0)]
    public double SampleRatio { get; set; } = 0.0001;

    /// <summary>Whether a 5.0 client's user property `traceparent` that says "sampled" is followed, whatever the ratio. Then clients decide what is exported.</summary>
    public bool FollowTraceparent { get; set; }

    /// <summary>Whether traces are sent.</summary>
    public bool SendsTraces => Traces && OtlpEndpoint.Length > 0;

    /// <summary>Whether metrics are sent.</summary>
    public bool SendsMetrics => Metrics && OtlpEndpoint.Length > 0;

    /// <summary>Whether any message may be traced.</summary>
    public bool TracesMessages => SendsTraces && (SampleRatio > 0 || FollowTraceparent);
}
