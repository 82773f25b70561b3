using System.Net;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;

namespace Broker.Tests.Unit.Gateway.Security.Rules;

/// <summary>Clients that rules are about.</summary>
internal static class Clients
{
    public static ClientInfo Of(string id = "id", string? user = "user", string address = "127.0.0.1") => new()
    {
        ClientId = id,
        UserName = user,
        Version = ProtocolVersion.V5,
        CleanStart = true,
        KeepAlive = 0,
        RemoteAddress = new IPEndPoint(IPAddress.Parse(address), 1),
        CommonName = "cn",
        Subject = "CN=cn,O=o",
        ListenerPort = 1883,
        Mountpoint = "m/",
    };
}
