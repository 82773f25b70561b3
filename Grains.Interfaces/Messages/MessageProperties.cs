namespace Broker.Grains.Interfaces.Messages;

/// <summary>What MQTT 5.0 lets a publisher add to a message and the broker hands on unaltered. [MQTT-3.3.2.3]</summary>
/// <remarks>Immutable. A message with none of these carries no object at all.</remarks>
[GenerateSerializer, Immutable, Alias("MessageProperties")]
public sealed record MessageProperties
{
    /// <summary>True if the payload was declared to be UTF-8 text (payload format indicator 1).</summary>
    [Id(0)]
    public bool IsText { get; init; }

    /// <summary>MIME type or any other text; null when absent.</summary>
    [Id(1)]
    public string? ContentType { get; init; }

    /// <summary>Topic name for a response; null when absent.</summary>
    [Id(2)]
    public string? ResponseTopic { get; init; }

    /// <summary>Correlation data; null when absent, may be empty. Never written to after construction.</summary>
    [Id(3)]
    public byte[]? CorrelationData { get; init; }

    /// <summary>User properties in their order, repeats kept [MQTT-3.3.2-17], [MQTT-3.3.2-18]; empty when there are none.</summary>
    [Id(4)]
    public UserProperty[] User { get; init; } = [];
}

/// <summary>One name and value of the user properties.</summary>
[GenerateSerializer, Immutable, Alias("UserProperty")]
public readonly record struct UserProperty([property: Id(0)] string Name, [property: Id(1)] string Value);
