using System.Net;
using System.Net.Sockets;

namespace Broker.Tests.Cluster.Harness;

/// <summary>Stands between a store and its server and cuts the connection at a chosen COMMIT.</summary>
internal sealed class MySqlProxy : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly int server;
    private readonly TaskCompletionSource cut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool refuses;
    private int armed;

    public MySqlProxy(int server)
    {
        this.server = server;
        listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>What happens at the next COMMIT.</summary>
    public enum Cut
    {
        /// <summary>Nothing.</summary>
        None,

        /// <summary>It does not reach the server.</summary>
        Before,

        /// <summary>The server answers it, the answer is lost.</summary>
        After,
    }

    /// <summary>The port to connect to.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Completes when the connection was cut.</summary>
    public Task WasCut => cut.Task;

    /// <summary>Whether new connections are closed at once.</summary>
    public bool Refuses
    {
        get => refuses;
        set => refuses = value;
    }

    /// <summary>Cuts the connection at the next COMMIT, and refuses further ones if asked to.</summary>
    public void Arm(Cut how, bool refuseAfter = false)
    {
        refuseAfterCut = refuseAfter;
        Volatile.Write(ref armed, (int)how);
    }

    private volatile bool refuseAfterCut;

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                if (refuses) client.Dispose();
                else _ = ServeAsync(client);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var toClient = client;
        using TcpClient toServer = new();
        try
        {
            await toServer.ConnectAsync(IPAddress.Loopback, server);
            var (near, far) = (toClient.GetStream(), toServer.GetStream());
            var waitsForAnswer = false;
            var answers = Task.Run(async () =>
            {
                var buffer = new byte[64 * 1024];
                while (await far.ReadAsync(buffer) is > 0 and var read)
                {
                    if (Volatile.Read(ref waitsForAnswer)) return;
                    await near.WriteAsync(buffer.AsMemory(0, read));
                }
            });
            var buffer = new byte[64 * 1024];
            while (await near.ReadAsync(buffer) is > 0 and var read)
            {
                // Length, number and COM_QUERY, then the text.
                var how = read < 32 && buffer.AsSpan(0, read).EndsWith("COMMIT"u8) ? (Cut)Interlocked.Exchange(ref armed, 0) : Cut.None;
                if (how != Cut.None) refuses = refuseAfterCut;
                if (how == Cut.Before) break;
                Volatile.Write(ref waitsForAnswer, how == Cut.After);
                await far.WriteAsync(buffer.AsMemory(0, read));
                if (how != Cut.After) continue;
                await answers;
                break;
            }

            if (refuses || Volatile.Read(ref armed) == 0) cut.TrySetResult();
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
        {
        }
    }
}
