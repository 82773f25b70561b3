namespace Broker.Grains.Interfaces.Cluster;

/// <summary>One thing that must be right before a process is sent clients.</summary>
public interface IReadiness
{
    /// <summary>What it is about, in one word.</summary>
    string Name { get; }

    /// <summary>Why the process is not ready; null if it is. Must answer at once.</summary>
    string? Fault { get; }
}

/// <summary>Whether the process has been told to stop: it serves those it has, and wants no more.</summary>
public sealed class Draining : IReadiness
{
    private volatile bool begun;

    /// <inheritdoc/>
    public string Name => "draining";

    /// <inheritdoc/>
    public string? Fault => begun ? "the process is about to stop" : null;

    /// <summary>From now on the process is not ready.</summary>
    public void Begin() => begun = true;
}
