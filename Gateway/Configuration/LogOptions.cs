using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Configuration;

/// <summary>Section `Logging`: how much is logged.</summary>
internal sealed class LogOptions
{
    public const string Section = "Logging";

    /// <summary>By category, such as `Broker.Gateway.Admin`; of those that fit the longest decides, `Default` where none does.</summary>
    public Dictionary<string, LogLevel> LogLevel { get; } = new(StringComparer.OrdinalIgnoreCase);
}
