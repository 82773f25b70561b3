using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using MySqlConnector;
using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>A Linux network namespace for one process, with two links to the rest: one for the cluster and the database, which can be cut, and one for
/// clients, which stays.</summary>
internal sealed class CutNetwork : IDisposable
{
    /// <summary>Nobody's: what is sent there is dropped without a word, as by a broken switch. A link that is down would be told to the sender.</summary>
    private const string Nowhere = "02:00:00:00:00:01";
    private const int Groups = 1 << 14;

    private static int count;

    private readonly string name;
    private readonly string clusterLink;
    private readonly string clientLink;
    private readonly string hostAddress;
    private readonly string ownAddress;
    private readonly string clientHostAddress;
    private readonly string clientAddress;

    private CutNetwork()
    {
        var number = Interlocked.Increment(ref count);
        name = string.Create(CultureInfo.InvariantCulture, $"cut{Environment.ProcessId}x{number}");
        (clusterLink, clientLink) = (name + "a", name + "b");
        // The range that is set apart for tests, 198.18.0.0/15, eight addresses each.
        var first = (Environment.ProcessId * 4 + number) % Groups * 8;
        string Address(int one) => string.Create(CultureInfo.InvariantCulture, $"198.{18 + (first >> 16)}.{(first >> 8) & 255}.{(first & 255) + one}");
        (hostAddress, ownAddress, clientHostAddress, clientAddress) = (Address(1), Address(2), Address(5), Address(6));
    }

    /// <summary>Makes one, or skips the test where that is not allowed.</summary>
    public static CutNetwork CreateOrSkip()
    {
        var network = new CutNetwork();
        Assert.SkipUnless(Run("netns", "add", network.name) is null, "A network namespace of its own needs root, `ip`, and the right to make one.");
        try
        {
            Do("-n", network.name, "link", "set", "dev", "lo", "up");
            network.Link(network.clusterLink, "cluster", network.hostAddress, network.ownAddress);
            network.Link(network.clientLink, "clients", network.clientHostAddress, network.clientAddress);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>A connection string that is good on both sides.</summary>
    public string Reachable(string connection) => new MySqlConnectionStringBuilder(connection) { Server = hostAddress }.ToString();

    /// <summary>Makes a process one that stays outside.</summary>
    public BrokerProcess Outside(BrokerProcess node) => node.Set("Cluster:Address", hostAddress);

    /// <summary>Makes a process the one that can be cut off.</summary>
    public BrokerProcess Inside(BrokerProcess node)
    {
        (node.Host, node.Runner) = (clientAddress, $"ip netns exec {name} ");
        return node.Set("Cluster:Address", ownAddress);
    }

    /// <summary>From now on nothing passes between inside and outside but what clients send and get.</summary>
    public void Cut()
    {
        Do("neigh", "replace", ownAddress, "lladdr", Nowhere, "dev", clusterLink, "nud", "permanent");
        Do("-n", name, "neigh", "replace", hostAddress, "lladdr", Nowhere, "dev", "cluster", "nud", "permanent");
    }

    /// <summary>The end of the cut.</summary>
    public void Heal()
    {
        Do("neigh", "del", ownAddress, "dev", clusterLink);
        Do("-n", name, "neigh", "del", hostAddress, "dev", "cluster");
    }

    public void Dispose()
    {
        Run("link", "del", "dev", clusterLink);
        Run("link", "del", "dev", clientLink);
        Run("netns", "del", name);
    }

    private void Link(string outside, string inside, string address, string insideAddress)
    {
        Do("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name);
        Do("addr", "add", address + "/30", "dev", outside);
        Do("link", "set", "dev", outside, "up");
        Do("-n", name, "addr", "add", insideAddress + "/30", "dev", inside);
        Do("-n", name, "link", "set", "dev", inside, "up");
    }

    private static void Do(params string[] arguments)
    {
        if (Run(arguments) is { } fault) Assert.Fail($"ip {string.Join(' ', arguments)}: {fault}");
    }

    /// <returns>What `ip` has against it; null if it was done.</returns>
    private static string? Run(params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
            var said = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : said;
        }
        catch (Win32Exception missing)
        {
            return missing.Message;
        }
    }
}
