using System.Net;
using System.Net.Sockets;

namespace Broker.Tests.Cluster.Harness;

/// <summary>Ports for processes that cannot find their own.</summary>
internal static class FreePorts
{
    private static readonly HashSet<int> Given = [];

    /// <summary>The first of some ports in a row that nobody listens on, below those the system gives to outgoing connections.</summary>
    public static int Find(int count = 1)
    {
        // Who was given one need not listen on it yet.
        lock (Given)
        {
            var first = Enumerable.Range(0, 1000).Select(_ => Random.Shared.Next(10_000, 19_000))
                .First(first => Enumerable.Range(first, count).All(port => !Given.Contains(port) && IsFree(port)));
            Given.UnionWith(Enumerable.Range(first, count));
            return first;
        }
    }

    private static bool IsFree(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
