using System.ComponentModel.DataAnnotations;

namespace Broker.Gateway.Admin.Audit;

/// <summary>What is kept of the changes that come over the HTTP API.</summary>
internal sealed class AuditOptions
{
    public const string Section = "Audit";

    /// <summary>How many changes each node remembers; the oldest go.</summary>
    [Range(8, 10_000_000)]
    public int MaxEntries { get; set; } = 10_000;

    /// <summary>How long it remembers them.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>The folder of the files; made if it is missing. Empty is `audit` in `Storage:DataDirectory`.</summary>
    public string Directory { get; set; } = "";

    /// <summary>Whether what applications do all day is left out: messages published, clients subscribed and unsubscribed. The log has them.</summary>
    public bool IgnoreFrequent { get; set; } = true;
}
