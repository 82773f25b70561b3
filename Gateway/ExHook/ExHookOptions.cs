using System.ComponentModel.DataAnnotations;
using Broker.Gateway.Security.Sources;

namespace Broker.Gateway.ExHook;

/// <summary>Hooks that other programs serve, over gRPC. Names and defaults are EMQ X's.</summary>
internal sealed class ExHookOptions
{
    public const string Section = "ExHook";

    /// <summary>The servers, by names that stand in logs and counters.</summary>
    public Dictionary<string, ExHookServerOptions> Servers { get; set; } = [];

    /// <summary>What it means for a client that a server does not answer, or has never been reached: `deny`, or `ignore`, as if the server were not there. Messages are published unchanged.</summary>
    [RegularExpression("deny|ignore")]
    public string RequestFailedAction { get; set; } = "deny";

    /// <summary>How long a server may take to answer.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often it is told again of the broker's start until it answers; 0 is never.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan AutoReconnect { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Where it stands among the callbacks of a hook: higher ones are asked first.</summary>
    public int HookPriority { get; set; }

    /// <summary>Most requests that wait for one server at a time; those above fail at once.</summary>
    [Range(1, 1_000_000)]
    public int MaxPending { get; set; } = 1_000;
}

/// <summary>One server.</summary>
internal sealed class ExHookServerOptions : TlsClientOptions
{
    public ExHookServerOptions() => Tls = "verify";

    /// <summary>`http://host:port`, or `https://host:port`, to which the settings of TLS apply.</summary>
    public string Url { get; set; } = "";
}
