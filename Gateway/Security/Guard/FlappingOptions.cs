using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Security.Guard;

/// <summary>When a client that comes and goes is banned. EMQ X's `enable_flapping_detect` and `flapping_detect_policy`.</summary>
internal sealed class FlappingOptions
{
    public const string Section = "Security:Flapping";

    public bool Enabled { get; set; }

    /// <summary>A client identifier that loses its connection so often within <see cref="Window"/> is banned.</summary>
    [Range(2, 1_000_000)]
    public int MaxDisconnects { get; set; } = 30;

    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Window { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>For how long.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "3650.00:00:00")]
    public TimeSpan BanTime { get; set; } = TimeSpan.FromMinutes(5);
}
