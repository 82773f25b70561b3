namespace Broker.Grains.Interfaces.Nodes;

/// <summary>How operators know this process.</summary>
/// <param name="Name">Its name, such as `broker@10.0.0.1`.</param>
public sealed record NodeIdentity(string Name);

/// <summary>Since when this process runs.</summary>
public sealed class StartTime(TimeProvider time)
{
    private readonly DateTimeOffset started = time.GetUtcNow();

    /// <summary>How long it has run, as EMQ X writes it.</summary>
    public string Uptime => LocalTime.Describe(Elapsed);

    /// <summary>The same.</summary>
    public TimeSpan Elapsed => time.GetUtcNow() - started;
}
