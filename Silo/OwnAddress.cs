using System.Net;
using System.Net.Sockets;
using Broker.Grains.Interfaces.Configuration;

namespace Broker.Silo;

/// <summary>Finds the address and port under which other members reach this process.</summary>
internal static class OwnAddress
{
    private const int MostTries = 1000;

    /// <summary>The configured address, or the one from which this machine reaches a host.</summary>
    /// <param name="configured">An IP address; empty to find it out.</param>
    /// <param name="host">A host that the others reach too: the database's.</param>
    /// <exception cref="StartException">What is configured is no IP address.</exception>
    public static IPAddress Find(string configured, string host)
    {
        if (configured.Length > 0)
        {
            return IPAddress.TryParse(configured, out var address) ? address
                : throw new StartException($"Cluster:Address = '{configured}' is not allowed: it must be an IP address.");
        }

        try
        {
            using var probe = new Socket(SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(host, 3306); // sends nothing: the system only chooses the way
            var found = ((IPEndPoint)probe.LocalEndPoint!).Address;
            return found.IsIPv4MappedToIPv6 ? found.MapToIPv4() : found;
        }
        catch (SocketException)
        {
            return IPAddress.Loopback; // the store will say that the database cannot be reached
        }
    }

    /// <summary>A port nobody listens on: the configured one, or any. Two silos on one port start silently and steal each other's connections.</summary>
    /// <remarks>Any is one below those that systems give to outgoing connections: until the silo listens there, such a connection could take it.</remarks>
    /// <exception cref="StartException">The configured port is taken.</exception>
    public static int FindPort(int configured, IPAddress address)
    {
        for (var tried = 1; ; tried++)
        {
            var port = configured != 0 ? configured : Random.Shared.Next(20_000, 32_000);
            using var probe = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new IPEndPoint(address, port));
                return port;
            }
            catch (SocketException fault)
            {
                if (configured == 0 && fault.SocketErrorCode == SocketError.AddressAlreadyInUse && tried < MostTries) continue;
                throw new StartException($"Cluster:Address and Cluster:Port = {address}:{port} cannot be used: {fault.Message}.", fault);
            }
        }
    }
}
