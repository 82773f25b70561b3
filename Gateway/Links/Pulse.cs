using Broker.Grains.Interfaces.Cluster;

namespace Broker.Gateway.Links;

/// <summary>Knows whether this process may still act as the owner of what it holds (design, promise 4).</summary>
/// <remarks>One that stood still, because it was stopped or its machine was suspended, may have been declared dead and replaced without knowing. Until
/// membership says that it lives nothing is flushed to its clients. <see cref="Hosting.PulseKeeper"/> beats.</remarks>
internal sealed class Pulse(NodeRole role, TimeProvider time)
{
    /// <summary>Shorter than the time in which others declare a silent process dead, longer than any pause of a healthy one.</summary>
    public static readonly TimeSpan MaxGap = TimeSpan.FromSeconds(3);

    private long last = time.GetTimestamp();

    /// <summary>False after the process stood still, until it is known to live. Alone it always does.</summary>
    public bool IsFresh => role.IsAlone || Gap < MaxGap;

    /// <summary>How long ago it was last known to live.</summary>
    public TimeSpan Gap => time.GetElapsedTime(Volatile.Read(ref last));

    /// <summary>It is known to live now.</summary>
    public void Beat() => Volatile.Write(ref last, time.GetTimestamp());
}
