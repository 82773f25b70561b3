using System.Globalization;
using System.Text;
using Broker.Gateway.ExHook.Protocol;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;
using Google.Protobuf;

namespace Broker.Gateway.ExHook;

/// <summary>Writes what hooks speak of in the words of exhook. What is missing is the empty text.</summary>
/// <param name="node">This process.</param>
/// <param name="cluster">The cluster it belongs to.</param>
internal sealed class ExHookMessages(string node, string cluster, TimeProvider time)
{
    private const string Description = "Broker";
    private static readonly string Version = typeof(ExHookMessages).Assembly.GetName().Version!.ToString(3);
    private readonly long started = time.GetTimestamp();

    /// <summary>Who asks; the same in every request.</summary>
    public RequestMeta Meta { get; } = new() { Node = node, Version = Version, Sysdescr = Description, ClusterName = cluster };

    public BrokerInfo Broker() => new()
    {
        Version = Version,
        Sysdescr = Description,
        Uptime = time.GetElapsedTime(started).ToString("c", CultureInfo.InvariantCulture),
        Datetime = time.GetUtcNow().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
    };

    public ConnInfo Connection(ClientContext client) => new()
    {
        Node = node,
        Clientid = client.ClientId,
        Username = client.UserName ?? "",
        Peerhost = Host(client),
        Sockport = (uint)client.ListenerPort,
        ProtoName = client.ProtocolVersion == 3 ? "MQIsdp" : "MQTT",
        ProtoVer = client.ProtocolVersion.ToString(CultureInfo.InvariantCulture),
        Keepalive = (uint)client.KeepAlive,
    };

    /// <param name="password">As it came; only for authentication.</param>
    public ClientInfo Client(ClientContext client, ReadOnlyMemory<byte>? password = null) => new()
    {
        Node = node,
        Clientid = client.ClientId,
        Username = client.UserName ?? "",
        Password = password is { } given ? Encoding.UTF8.GetString(given.Span) : "",
        Peerhost = Host(client),
        Sockport = (uint)client.ListenerPort,
        Protocol = "mqtt",
        Mountpoint = client.Mountpoint,
        IsSuperuser = client.IsSuperuser,
        Anonymous = client.UserName is null,
        Cn = client.CommonName ?? "",
        Dn = client.Subject ?? "",
    };

    /// <summary>A session's client, of which sometimes only the identifier is known.</summary>
    public ClientInfo Client(SessionEvent session) => session.Client is { } client ? Client(client) : new ClientInfo { Node = node, Clientid = session.ClientId, Protocol = "mqtt" };

    public Message Message(ApplicationMessage message) => new()
    {
        Node = node,
        Id = Guid.NewGuid().ToString("N").ToUpperInvariant(),
        Qos = (uint)message.Qos,
        From = message.PublisherId,
        Topic = message.Topic.Text,
        Payload = UnsafeByteOperations.UnsafeWrap(message.Payload), // nobody writes to it any more
        Timestamp = (ulong)time.GetUtcNow().ToUnixTimeMilliseconds(),
    };

    /// <summary>The message as a server has changed it: its topic, QoS and payload. Null if its topic or QoS is none.</summary>
    public static ApplicationMessage? Changed(ApplicationMessage message, Message by) =>
        by.Qos <= 2 && TopicName.TryParse(Encoding.UTF8.GetBytes(by.Topic), out var topic)
            ? message.With(by.Topic == message.Topic.Text ? message.Topic : topic, by.Payload.ToByteArray(), (Qos)by.Qos) : null;

    public static IEnumerable<Property> Properties(IEnumerable<UserProperty> properties) => properties.Select(one => new Property { Name = one.Name, Value = one.Value });

    public static SubOpts Options(string filter, SubscriptionOptions options) => new()
    {
        Qos = (uint)options.Qos,
        Share = filter.StartsWith("$share/", StringComparison.Ordinal) ? filter.Split('/')[1] : "",
        Rh = (uint)options.RetainHandling,
        Rap = options.RetainAsPublished ? 1u : 0,
        Nl = options.NoLocal ? 1u : 0,
    };

    private static string Host(ClientContext client) => client.RemoteAddress?.Address.ToString() ?? "";
}
