using System.Net.Sockets;

namespace Broker.Tests.Protocol.Transport.Fuzz;

/// <summary>What happens to a client's bytes on their way.</summary>
internal enum Meddle
{
    Nothing,

    /// <summary>Each is sent by itself.</summary>
    Split,

    /// <summary>The way ends behind one of them: FIN. What comes back can be read.</summary>
    Cut,

    /// <summary>The connection is reset behind one of them.</summary>
    Reset,

    /// <summary>One of them is another; the way ends behind what was sent together with it.</summary>
    Change,
}

/// <param name="At">Which of all bytes is meant.</param>
internal readonly record struct Meddling(Meddle How, int At = 0);

/// <summary>A socket's stream that does not send what it is told.</summary>
internal sealed class MeddlingStream(Socket socket, Meddling meddling) : NetworkStream(socket, ownsSocket: true)
{
    private bool isOver;

    /// <summary>How many bytes it was told to send.</summary>
    public int Sent { get; private set; }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (isOver || buffer.IsEmpty) return;
        var begin = Sent;
        Sent += buffer.Length;
        if (meddling.How == Meddle.Split)
        {
            for (var i = 0; i < buffer.Length; i++) await base.WriteAsync(buffer.Slice(i, 1), cancellationToken);
            return;
        }

        if (meddling.How == Meddle.Nothing || meddling.At >= Sent)
        {
            await base.WriteAsync(buffer, cancellationToken);
            return;
        }

        isOver = true;
        var bytes = buffer.ToArray();
        if (meddling.How == Meddle.Change) bytes[meddling.At - begin] ^= (byte)(1 << (meddling.At % 8));
        await base.WriteAsync(meddling.How == Meddle.Change ? bytes : bytes.AsMemory(0, meddling.At - begin), cancellationToken);
        if (meddling.How == Meddle.Reset)
        {
            Socket.LingerState = new LingerOption(true, 0);
            Socket.Close();
        }
        else
        {
            Socket.Shutdown(SocketShutdown.Send);
        }
    }
}
