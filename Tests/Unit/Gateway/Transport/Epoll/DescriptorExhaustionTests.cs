using System.Diagnostics;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using Xunit;
using static Broker.Tests.Unit.Gateway.Transport.Epoll.EpollListener;

namespace Broker.Tests.Unit.Gateway.Transport.Epoll;

/// <summary>Runs itself again in a process with few descriptors, because the limit holds for all of a process.</summary>
public class DescriptorExhaustionTests
{
    private const string ChildMark = "BROKER_FEW_DESCRIPTORS";

    [Fact]
    public async Task AcceptsAgain_WhenDescriptorsWereExhausted()
    {
        if (Environment.GetEnvironmentVariable(ChildMark) is not null)
        {
            await ExhaustAndRecoverAsync();
            return;
        }

        string program = Path.ChangeExtension(typeof(DescriptorExhaustionTests).Assembly.Location, null);
        string method = $"{typeof(DescriptorExhaustionTests).FullName}.{nameof(AcceptsAgain_WhenDescriptorsWereExhausted)}";
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"ulimit -n 400 && exec '{program}' -method '{method}'"]) { RedirectStandardOutput = true };
        start.Environment[ChildMark] = "1";
        using Process child = Process.Start(start)!;
        string output = await child.StandardOutput.ReadToEndAsync().WaitAsync(Deadline);
        await child.WaitForExitAsync().WaitAsync(Deadline);
        Assert.True(child.ExitCode == 0, output);
        Assert.Contains("Total: 1,", output, StringComparison.Ordinal);
    }

    private static async Task ExhaustAndRecoverAsync()
    {
        await using EpollListener listener = await StartAsync(() => new ScriptedHandler(ScriptedHandler.Echo));
        (Socket early, _) = await listener.ConnectAsync();
        // Waiting for room is what the accepted sockets do; the clients have their descriptors already.
        Socket[] late = [.. Enumerable.Range(0, 3).Select(static _ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))];
        // Nor can the runtime load an assembly later without a descriptor.
        foreach (string file in Directory.GetFiles(RuntimeEnvironment.GetRuntimeDirectory(), "System.*.dll"))
        {
            if (!file.EndsWith(".Native.dll", StringComparison.Ordinal)) Assembly.Load(AssemblyName.GetAssemblyName(file));
        }

        var taken = new List<FileStream>();
        try
        {
            while (true) taken.Add(new FileStream("/dev/null", FileMode.Open, FileAccess.Read));
        }
        catch (IOException)
        {
            // Every descriptor is in use.
        }

        foreach (Socket client in late) client.Connect(listener.Address);
        await UntilAsync(() => listener.Channel.AcceptPauses >= 2, () => $"paused {listener.Channel.AcceptPauses} times");
        Assert.InRange(listener.Channel.AcceptPauses, 2, 4);
        byte[] back = new byte[1];
        early.Send([7]);
        await ReceiveExactlyAsync(early, back);
        Assert.Equal(7, back[0]);

        foreach (FileStream file in taken) await file.DisposeAsync();
        foreach (Socket client in late)
        {
            client.Send([9]);
            await ReceiveExactlyAsync(client, back);
            Assert.Equal(9, back[0]);
            client.Dispose();
        }

        early.Dispose();
    }
}
