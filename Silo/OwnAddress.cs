using System.Net;
using System.Net.Sockets;
using Broker.Grains.Interfaces.Configuration;

namespace Broker.Silo;

/// <summary>Finds the address and port under which other members reach this process.</summary>
internal static class OwnAddress
{
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

    /// <summary>A port nobody listens on. Two silos on one port start silently and steal each other's connections.</summary>
    /// <exception cref="StartException">The configured port is taken.</exception>
    public static int FindPort(int configured, IPAddress address)
    {
        using var probe = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(address, configured));
        }
        catch (SocketException fault)
        {
            throw new StartException($"Cluster:Address and Cluster:Port = {address}:{configured} cannot be used: {fault.Message}.", fault);
        }

        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
