using System.Diagnostics;
using Broker.Tests.Cluster.Harness;
using Xunit;

namespace Broker.Tests.Cluster;

/// <summary>A full disk refuses what must be stored, leaves the rest alone, and is over when there is room again.</summary>
[Collection(BrokerProcessCollection.Name)]
public class DiskFullTests
{
    private const int QuotaExceeded = 0x97;
    private const int ServerUnavailable = 0x88;
    private const int Tries = 4000;
    private static readonly string Payload = new('x', 4000);
    private static readonly TimeSpan RecoveryLimit = TimeSpan.FromSeconds(40);

    [Fact]
    public async Task RefusesDurableMessagesOnly_WhileTheDiskIsFull()
    {
        var folder = Directory.CreateTempSubdirectory("broker-full-").FullName;
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder), "A file system of its own needs root and the right to mount.");
        try
        {
            await using var broker = await BrokerProcess.StartNewAsync(folder, ("Mqtt:MaxQueueLength", "0"), ("Mqtt:RetryInterval", "00:00:05"));
            await CheckAsync(broker, () =>
            {
                Assert.True(Run("mount", "-o", "remount,size=64m", folder), "The file system cannot be made larger.");
                return Task.CompletedTask;
            });
        }
        finally
        {
            Run("umount", "-l", folder);
            Directory.Delete(folder);
        }
    }

    [Fact]
    public async Task RefusesDurableMessagesOnly_WhileTheFileHasItsMostPages()
    {
        await using var broker = await BrokerProcess.StartNewAsync(settings: [("Mqtt:MaxQueueLength", "0"), ("Mqtt:RetryInterval", "00:00:05"), ("Storage:MaxPages", "800")]);
        // Room comes from the queue: its owner comes back and takes some.
        await CheckAsync(broker, async () =>
        {
            using var away = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("hoarder"));
            for (var i = 0; i < 200; i++)
            {
                var message = await away.ReadAsync(WirePacket.Publish);
                away.Acknowledge(WirePacket.Puback, message.Identifier);
                await away.FlushAsync();
            }

            await away.PingAsync();
        }, hoard: true);
    }

    private static async Task CheckAsync(BrokerProcess broker, Func<Task> makeRoom, bool hoard = false)
    {
        var port = await broker.Ready;
        await SubscribeAsync(port, "away", "stored/#", 2);
        if (hoard) await SubscribeAsync(port, "hoarder", "hoard", 1);
        using var live = await WireClient.ConnectAsync(port, new ConnectOptions("live") { CleanStart = true });
        await live.SubscribeAsync("live", 1);
        using var v5 = await WireClient.ConnectAsync(port, new ConnectOptions("v5") { IsV5 = true, CleanStart = true });
        using var v3 = await WireClient.ConnectAsync(port, new ConnectOptions("v3") { CleanStart = true });
        var leaving = new ConnectOptions("leaving") { IsV5 = true, SessionExpiry = 600 };
        using var leaver = await WireClient.ConnectAsync(port, leaving);
        await leaver.SubscribeAsync("leaving", 1);
        var number = 0;

        var accepted = await PublishAsync(v5, "stored/x", 1, number++) ? 1 : 0;
        Assert.Equal(1, accepted);
        for (var i = 0; await PublishAsync(v5, hoard ? "hoard" : "stored/x", 1, number); i++, number++)
        {
            if (!hoard) accepted++;
            Assert.True(i < Tries, $"The disk is not full after {i} messages.");
        }

        await broker.WaitForLogAsync("The store fails", TimeSpan.FromSeconds(5));
        Assert.False(await PublishAsync(v5, "stored/x", 2, number));
        v3.Publish("stored/x", Payload, qos: 1, identifier: 1);
        v3.Publish("stored/x", Payload, qos: 2, identifier: 2);
        await v3.PingAsync();
        Assert.DoesNotContain(v3.Aside, packet => packet.Type is WirePacket.Puback or WirePacket.Pubrec);

        // What nobody stores flows on.
        using (var publisher = await WireClient.ConnectAsync(port, new ConnectOptions("p") { CleanStart = true }))
        {
            publisher.Publish("live", "0");
            publisher.Publish("live", "1", qos: 1, identifier: 9);
            await publisher.FlushAsync();
            Assert.Equal(9, (await publisher.ReadAsync(WirePacket.Puback)).Identifier);
            Assert.Equal("0", (await live.ReadAsync(WirePacket.Publish)).Payload);
            Assert.Equal("1", (await live.ReadAsync(WirePacket.Publish)).Payload);
        }

        await leaver.DisconnectAsync();
        using (var back = await WireClient.ConnectAsync(port, leaving)) Assert.True(back.Connack.SessionPresent);
        using (var refused = await WireClient.OpenAsync(port, leaving with { ClientId = "newcomer" })) Assert.Equal(ServerUnavailable, refused.Connack.Code);
        Assert.Single(broker.Errors());
        await makeRoom();
        await broker.WaitForLogAsync("The store works again", RecoveryLimit);
        Assert.True(await PublishAsync(v5, "stored/x", 1, ++number));
        Assert.True(await PublishAsync(v5, "stored/x", 2, ++number));
        Assert.Single(broker.Errors());
        // A 3.x client, which cannot be told, is closed so that it sends again.
        Assert.Null(await v3.ReadAsync());
        using (var back = await WireClient.ConnectAsync(port, leaving)) Assert.True(back.Connack.SessionPresent);

        // All that was accepted, and nothing that was refused, also after a crash.
        await broker.KillAsync();
        await broker.StartAsync();
        using var away = await WireClient.ConnectAsync(await broker.Ready, new ConnectOptions("away"));
        var taken = 0;
        for (var idle = false; !idle;)
        {
            await away.PingAsync();
            idle = away.Aside.Count == 0;
            while (away.Aside.Count > 0)
            {
                var packet = (await away.ReadAsync())!;
                if (packet.Type == WirePacket.Publish) taken++;
                away.Acknowledge(packet.Type switch { WirePacket.Pubrel => WirePacket.Pubcomp, _ => packet.Qos == 1 ? WirePacket.Puback : WirePacket.Pubrec }, packet.Identifier);
            }

            await away.FlushAsync();
        }

        Assert.Equal(accepted + 2, taken);
    }

    /// <returns>Whether it was accepted; otherwise it was refused with 0x97.</returns>
    private static async Task<bool> PublishAsync(WireClient client, string topic, int qos, int number)
    {
        var identifier = (ushort)(number % 60_000 + 1);
        client.Publish(topic, Payload, qos, identifier);
        await client.FlushAsync();
        var answer = await client.ReadAsync(qos == 1 ? WirePacket.Puback : WirePacket.Pubrec);
        Assert.Equal(identifier, answer.Identifier);
        if (answer.Code == QuotaExceeded) return false;
        Assert.Equal(0, answer.Code);
        return true;
    }

    private static async Task SubscribeAsync(int port, string clientId, string filter, int qos)
    {
        using var client = await WireClient.ConnectAsync(port, new ConnectOptions(clientId));
        await client.SubscribeAsync(filter, qos);
        await client.DisconnectAsync();
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
