import { preset } from '@rmap-lab/config/stryker';

export default preset('strategy-cow-context');
