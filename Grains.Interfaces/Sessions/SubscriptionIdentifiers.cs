using System.Runtime.InteropServices;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>The identifiers of the subscriptions by which one message reaches one session: mostly none or one. [MQTT-3.3.4-3]</summary>
/// <remarks>Immutable.</remarks>
[GenerateSerializer, Immutable, Alias("SubscriptionIdentifiers")]
public readonly struct SubscriptionIdentifiers
{
    [Id(0)]
    private readonly int first;

    [Id(1)]
    private readonly int[]? all;

    private SubscriptionIdentifiers(int first, int[]? all)
    {
        this.first = first;
        this.all = all;
    }

    /// <summary>One identifier, or none if it is 0.</summary>
    public SubscriptionIdentifiers(int identifier)
        : this(identifier, null)
    {
    }

    /// <summary>True if there is none.</summary>
    public bool IsEmpty => first == 0;

    /// <summary>These and one more; 0 adds nothing.</summary>
    public SubscriptionIdentifiers With(int identifier) =>
        identifier == 0 ? this : first == 0 ? new(identifier) : new(first, [.. all ?? [first], identifier]);

    /// <summary>The identifiers in place, without a copy.</summary>
    public static ReadOnlySpan<int> AsSpan(in SubscriptionIdentifiers identifiers) =>
        identifiers.all is { } many ? many : identifiers.first == 0 ? [] : MemoryMarshal.CreateReadOnlySpan(in identifiers.first, 1);
}
