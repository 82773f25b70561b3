namespace Broker.Gateway.Alarms;

/// <summary>How the machine, or the container, and this process do. All in percent.</summary>
internal interface IVitals
{
    /// <summary>Use of the processors since this was last asked.</summary>
    double ReadCpu();

    /// <summary>Use of the memory that there is.</summary>
    double ReadSystemMemory();

    /// <summary>What of it this process has.</summary>
    double ReadProcessMemory();

    /// <summary>Threads of this process, of those that there may be.</summary>
    double ReadThreads();
}
