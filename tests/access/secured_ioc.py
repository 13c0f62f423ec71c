"""PVs in several access groups."""

from ioc_ops.errors import ConfigurationError
from ioc_ops.server import PVGroup, current_context, ioc_arg_parser, pvproperty, run


class Secured(PVGroup):
    """PVs in several access groups."""

    gate = pvproperty(value=0.0, record="ao")
    plain = pvproperty(value=1.0, record="ao")
    guarded = pvproperty(value=2.0, record="ao", asg="GUARDED")
    shut = pvproperty(value=3.0, record="ao", asg="SHUT")
    stray = pvproperty(value=4.0, record="ao", asg="NO SUCH")
    reread = pvproperty(value=0, asg="OPEN")
    problem = pvproperty(value="", max_length=200, asg="OPEN")

    @reread.putter
    async def reread(self, instance, value):
        try:
            current_context().reload_access()
        except ConfigurationError as problem:
            await self.problem.write(str(problem))
        else:
            await self.problem.write("none")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="sec:", desc=Secured.__doc__)
    run(Secured(**ioc_options).pvdb, **run_options)
